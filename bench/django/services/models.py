"""Categories, services and their prices by model, in the tables that the functions read."""

from django.db import models

from vehicles.models import VehicleModel


class ServiceCategory(models.Model):
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "service_categories"


class Service(models.Model):
    service_category = models.ForeignKey(ServiceCategory, models.PROTECT)
    name = models.TextField()
    duration_minutes = models.PositiveIntegerField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "services"


class ServicePricing(models.Model):
    service = models.ForeignKey(Service, models.PROTECT)
    vehicle_model = models.ForeignKey(VehicleModel, models.PROTECT)
    price_paise = models.PositiveBigIntegerField()

    class Meta:
        managed = False
        db_table = "service_prices"
