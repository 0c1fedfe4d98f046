from records.tasks import process_model_instance

process_model_instance.change_sets = False
