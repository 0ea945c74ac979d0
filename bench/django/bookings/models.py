"""Customers, bookings and their services, in the tables that the functions write."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models

from services.models import Service
from vehicles.models import VehicleModel


class Customer(models.Model):
    phone = models.TextField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "customers"


class Booking(models.Model):
    reference = models.TextField(unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="bookings")
    customer_name = models.TextField()
    customer_email = models.TextField(null=True)
    vehicle_model = models.ForeignKey(VehicleModel, models.PROTECT)
    service_location = models.TextField(choices=[("home", "Home"), ("shop", "Shop")])
    address = models.TextField(default="", blank=True)
    appointment_date = models.DateField()
    appointment_time = models.TimeField()
    slot_times = ArrayField(models.TimeField())
    occupied_minutes = models.PositiveIntegerField()
    duration_minutes = models.PositiveIntegerField()
    total_paise = models.PositiveBigIntegerField()
    payment_method = models.TextField(choices=[("cash", "Cash"), ("razorpay", "Razorpay")])
    payment_status = models.TextField(default="pending")
    booking_status = models.TextField(default="pending")
    notes = models.TextField(default="", blank=True)
    access_token_sha256 = models.BinaryField()
    access_token_expires_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "bookings"

    @property
    def total_amount(self):
        return Decimal(self.total_paise) / 100


class BookingServiceManager(models.Manager):
    def get_queryset(self):
        return super().get_queryset().select_related("service__service_category")


class BookingService(models.Model):
    booking = models.ForeignKey(Booking, models.CASCADE, related_name="booking_services")
    service = models.ForeignKey(Service, models.PROTECT)
    price_paise = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BookingServiceManager()

    class Meta:
        managed = False
        db_table = "booking_services"
        ordering = ["id"]

    @property
    def price(self):
        return Decimal(self.price_paise) / 100
