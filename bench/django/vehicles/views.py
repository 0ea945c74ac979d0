"""The models of a brand, cached for an hour."""

from django.core.cache import cache
from rest_framework import viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from .models import VehicleModel
from .serializers import VehicleModelSerializer

HOUR = 60 * 60


class VehicleModelViewSet(viewsets.ViewSet):
    def list(self, request):
        try:
            brand = int(request.query_params["vehicle_brand"])
        except (KeyError, ValueError):
            raise ValidationError({"vehicle_brand": ["A valid integer is required."]})
        key = f"vehicle_models_{brand}"
        data = cache.get(key)
        if data is None:
            models = VehicleModel.objects.filter(
                vehicle_brand=brand,
                archived_at=None,
                vehicle_brand__archived_at=None,
                vehicle_brand__vehicle_type__archived_at=None,
            ).select_related("vehicle_brand__vehicle_type")
            data = VehicleModelSerializer(models, many=True).data
            cache.set(key, data, HOUR)
        return Response({"error": False, "message": "Vehicle models retrieved successfully", "data": data})
