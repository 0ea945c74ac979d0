"""A model as the API shows it."""

from rest_framework import serializers

from .models import VehicleModel


class VehicleModelSerializer(serializers.ModelSerializer):
    brand_name = serializers.CharField(source="vehicle_brand.name")
    vehicle_type_name = serializers.CharField(source="vehicle_brand.vehicle_type.name")

    class Meta:
        model = VehicleModel
        fields = [
            "id", "vehicle_brand", "brand_name", "vehicle_type_name", "name", "image", "created_at", "updated_at",
        ]
