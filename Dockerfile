# One image for every process of Headrace: migrate, worker and web differ by their command.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements-runtime.lock ./
RUN python -m venv /opt/headrace \
 && /opt/headrace/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY etl etl
COPY jobs jobs
COPY sql sql
COPY migrations migrations
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir hatchling==1.28.0 \
 && /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/headrace/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/headrace headrace
COPY --from=build /opt/headrace /opt/headrace
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ETL_HOME=/var/lib/headrace \
    ETL_LOG_FORMAT=json \
    PROCRASTINATE_APP=jobs.app
USER headrace
WORKDIR /var/lib/headrace
ENTRYPOINT ["etl"]
CMD ["worker"]
