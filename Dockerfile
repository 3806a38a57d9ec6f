# batchocr on the processor. Build and run: docs/containers.md
FROM debian:bookworm-slim

# libgl1 and libglib2.0-0 are what opencv-python needs of the system
# Debian keeps no old versions to pin
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

ENV PATH=/opt/batchocr/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1

# the packages first: they change seldom, the code often
COPY requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/batchocr \
    && pip install --require-hashes -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . /tmp/batchocr
RUN pip install --no-deps /tmp/batchocr && rm -rf /tmp/batchocr

RUN useradd --create-home --uid 10001 batchocr
USER 10001
WORKDIR /work

# reads a page for real
RUN batchocr doctor

ENTRYPOINT ["batchocr"]
CMD ["--help"]
