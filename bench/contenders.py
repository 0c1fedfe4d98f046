"""Who is measured."""

from .session import Contender

OURS = Contender("ours", "this project", "ours")
UNKEPT = Contender("ours_unkept", "this project, without change sets", "ours_unkept")
WITH_RUNS = (OURS, UNKEPT)
PLAIN = Contender("ours_plain", "this project, plain .delay(id)", "ours_plain")
SWAPPED = Contender("ours_django_db", "this project, plain, with the django-db backend", "ours_django_db")
USUAL = Contender("usual", "Celery, the usual way", "usual")
TUNED = Contender("usual_tuned", "Celery, the usual way, our database settings", "usual_tuned")
BARE = Contender("bare", "bare loop, no queue", "bare")
PEERS = [
    Contender("django_q2", "django-q2", "django_q2"),
    Contender("huey", "huey", "huey_peer"),
    Contender("dramatiq", "dramatiq", "dramatiq_peer"),
    Contender("django_rq", "django-rq", "django_rq_peer"),
    Contender("procrastinate", "procrastinate", "procrastinate_peer", databases=("postgresql",)),
]
ALL = [OURS, UNKEPT, BARE, PLAIN, USUAL, TUNED, *PEERS]
BY_NAME = {contender.name: contender for contender in [*ALL, SWAPPED]}
