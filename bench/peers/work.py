"""The job of every peer that works record by record."""

from records.models import YourModel


def get_process_save(instance_id: int) -> str:
    instance = YourModel.objects.get(pk=instance_id)
    instance.process()
    instance.save()
    return f"Processed instance {instance_id}"
