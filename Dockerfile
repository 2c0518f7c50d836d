# defendctl with every place of a state and the embedded API, for pipelines: `docker build --tag defendctl .`
#
# The digest was not looked up at the registry by who wrote it here, but taken from other public projects; before a
# release: docker buildx imagetools inspect python:3.12-slim-bookworm
ARG BASE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/defendctl \
    && /opt/defendctl/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY defendctl defendctl
RUN /opt/build/bin/hatchling build --target wheel --directory /wheel \
    && /opt/defendctl/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

# hadolint ignore=DL3006
FROM ${BASE}
# git reads what is checked out, and keeps the state where that is git+…; what Debian serves today, not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home defendctl \
    && git config --system --add safe.directory '*'
COPY --from=build /opt/defendctl /opt/defendctl
ENV PATH=/opt/defendctl/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 1000
WORKDIR /work
ENTRYPOINT ["defendctl"]
