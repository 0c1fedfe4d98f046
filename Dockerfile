# One image for web, workers, beat and migrations; compose.yaml says which of them a container is.
FROM python:3.12-slim AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --require-hashes -r requirements.lock

FROM python:3.12-slim
# Numbered, so that Kubernetes and the like can see without looking it up that it is not root.
RUN groupadd --gid 10001 backoffice && useradd --uid 10001 --gid 10001 --no-create-home backoffice
COPY --from=dependencies /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /app
COPY manage.py LICENSE ./
COPY backoffice backoffice
COPY records records
COPY fixtures fixtures
RUN python -m compileall -q backoffice records && install -d -m 700 -o backoffice -g backoffice var
USER 10001:10001
# The key is for this step alone: none may be left in the image.
RUN DJANGO_SECRET_KEY=collectstatic python manage.py collectstatic --no-input --verbosity 0
EXPOSE 8000
CMD ["gunicorn", "backoffice.wsgi:application", "--config", "python:backoffice.front.config", "--bind", "0.0.0.0:8000"]
