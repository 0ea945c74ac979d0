"""Types, brands and models, in the tables that the functions read."""

from django.db import models


class VehicleType(models.Model):
    name = models.TextField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "vehicle_types"


class VehicleBrand(models.Model):
    vehicle_type = models.ForeignKey(VehicleType, models.PROTECT)
    name = models.TextField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "vehicle_brands"


class VehicleModel(models.Model):
    vehicle_brand = models.ForeignKey(VehicleBrand, models.PROTECT)
    name = models.TextField()
    image = models.TextField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        managed = False
        db_table = "vehicle_models"
        ordering = ["id"]
