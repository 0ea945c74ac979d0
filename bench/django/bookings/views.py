"""The creation of a booking."""

from rest_framework import status, viewsets
from rest_framework.response import Response

from .serializers import BookingCreateSerializer, BookingSerializer


class BookingViewSet(viewsets.ViewSet):
    def create(self, request):
        serializer = BookingCreateSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        booking = serializer.save()
        return Response(
            {"error": False, "message": "Booking created successfully", "data": BookingSerializer(booking).data},
            status=status.HTTP_201_CREATED,
        )
