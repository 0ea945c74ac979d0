"""The routes of the two compared requests."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from bookings.views import BookingViewSet
from vehicles.views import VehicleModelViewSet

router = SimpleRouter()
router.register("vehicle-models", VehicleModelViewSet, basename="vehicle-model")
router.register("bookings", BookingViewSet, basename="booking")

urlpatterns = [path("api/", include(router.urls))]
