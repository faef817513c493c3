# One image for web, worker, beat and migrate; the command is a part of bin/serve.
# The same bin/ that runs on a bare machine makes the environment, from the same lock.
FROM python:3.13-slim-bookworm AS build
WORKDIR /app
COPY bin bin
COPY requirements.lock requirements-dev.lock ./
RUN python -I bin/_venv.py /app runtime && rm -rf .venv/cache

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="tsunagari" org.opencontainers.image.licenses="MIT"
ENV PYTHONDONTWRITEBYTECODE=1 \
    PRODUCTION=1 \
    DATA_DIR=/data \
    WEB_HOST=0.0.0.0 \
    WEB_PORT=8000
RUN groupadd --gid 10001 tsunagari \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin tsunagari \
    && install -d -m 0700 -o tsunagari -g tsunagari /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY . .
USER tsunagari
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["bin/serve"]
CMD ["web"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["bin/serve", "health", "http://127.0.0.1:8000/healthz"]
