# The tag is pinned to one release. For a build that can be repeated bit for bit, add the digest that your registry shows
# for it: FROM python:3.11.14-slim-bookworm@sha256:…
FROM python:3.11.14-slim-bookworm AS build
RUN python -m venv /opt/remixbot
COPY requirements.lock /src/
RUN /opt/remixbot/bin/pip install --no-cache-dir --require-hashes --no-deps --requirement /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY bot /src/bot
COPY adapters /src/adapters
COPY storage /src/storage
RUN /opt/remixbot/bin/pip install --no-cache-dir --no-deps --no-build-isolation /src \
 && /opt/remixbot/bin/pip uninstall --yes --quiet hatchling editables pip

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/remixbot /opt/remixbot
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin remixbot \
 && install --directory --owner=remixbot --group=remixbot --mode=0700 /data
ENV PATH=/opt/remixbot/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER remixbot
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client, sys; page = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); page.request('GET', '/healthz'); sys.exit(page.getresponse().status != 200)"]
ENTRYPOINT ["remixbot"]
CMD ["run", "--host", "0.0.0.0", "--port", "8080", "--data", "/data"]
