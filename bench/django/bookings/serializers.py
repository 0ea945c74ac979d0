"""Bookings: the request of a customer, and the answer of the API."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers

from services.models import ServicePricing
from vehicles.models import VehicleModel

from .models import Booking, BookingService, Customer


class BookingServiceSerializer(serializers.ModelSerializer):
    service_name = serializers.CharField(source="service.name")
    category_name = serializers.CharField(source="service.service_category.name")
    price = serializers.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        model = BookingService
        fields = ["id", "service", "service_name", "category_name", "price", "created_at"]


class BookingSerializer(serializers.ModelSerializer):
    customer = serializers.SerializerMethodField()
    vehicle_model_name = serializers.CharField(source="vehicle_model.name")
    vehicle_brand_name = serializers.CharField(source="vehicle_model.vehicle_brand.name")
    vehicle_type_name = serializers.CharField(source="vehicle_model.vehicle_brand.vehicle_type.name")
    total_amount = serializers.DecimalField(max_digits=10, decimal_places=2)
    booking_services = BookingServiceSerializer(many=True)

    class Meta:
        model = Booking
        fields = [
            "id", "customer", "vehicle_model", "vehicle_model_name", "vehicle_brand_name", "vehicle_type_name",
            "service_location", "address", "appointment_date", "appointment_time", "total_amount", "payment_method",
            "payment_status", "booking_status", "notes", "booking_services", "created_at", "updated_at",
        ]

    def get_customer(self, booking):
        return {
            "id": booking.customer.id,
            "name": booking.customer_name,
            "phone": booking.customer.phone,
            "email": booking.customer_email,
            "created_at": booking.customer.created_at,
            "updated_at": booking.customer.updated_at,
        }


class BookingCreateSerializer(serializers.Serializer):
    customer_name = serializers.CharField(max_length=100)
    customer_phone = serializers.RegexField(r"^\+\d{8,15}$")
    customer_email = serializers.EmailField(required=False, allow_null=True)
    vehicle_model_id = serializers.PrimaryKeyRelatedField(
        source="vehicle_model",
        queryset=VehicleModel.objects.filter(archived_at=None).select_related("vehicle_brand__vehicle_type"),
    )
    service_ids = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=20)
    service_location = serializers.ChoiceField(["home", "shop"])
    address = serializers.CharField(required=False, allow_blank=True, default="")
    appointment_date = serializers.DateField()
    appointment_time = serializers.TimeField()
    payment_method = serializers.ChoiceField(["cash", "razorpay"])
    notes = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)

    def validate_appointment_date(self, value):
        if value < timezone.localdate():
            raise serializers.ValidationError("Appointment date cannot be in the past.")
        return value

    def validate(self, attrs):
        if attrs["service_location"] == "home" and not attrs["address"]:
            raise serializers.ValidationError({"address": "Address is required for home service."})
        service_ids = attrs.pop("service_ids")
        prices = ServicePricing.objects.filter(
            vehicle_model=attrs["vehicle_model"], service__in=service_ids, service__archived_at=None
        ).select_related("service")
        attrs["prices"] = list(prices)
        if len(attrs["prices"]) != len(service_ids):
            raise serializers.ValidationError({"service_ids": "A service is not available for this vehicle."})
        return attrs

    @transaction.atomic
    def create(self, validated_data):
        prices = validated_data.pop("prices")
        customer, _ = Customer.objects.get_or_create(phone=validated_data.pop("customer_phone"))
        appointment = datetime.combine(validated_data["appointment_date"], validated_data["appointment_time"])
        booking = Booking.objects.create(
            customer=customer,
            total_paise=sum(price.price_paise for price in prices),
            # The functions' table requires these columns.
            reference=f"RMB-{secrets.token_hex(8)}",
            slot_times=[validated_data["appointment_time"]],
            occupied_minutes=15,
            duration_minutes=sum(price.service.duration_minutes for price in prices),
            access_token_sha256=hashlib.sha256(secrets.token_bytes()).digest(),
            access_token_expires_at=timezone.make_aware(appointment) + timedelta(days=30),
            **validated_data,
        )
        BookingService.objects.bulk_create(
            BookingService(booking=booking, service=price.service, price_paise=price.price_paise) for price in prices
        )
        return booking
