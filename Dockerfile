# batchocr on the CPU. Build and run: docs/containers.md
FROM debian:bookworm-slim

# OpenCV needs libgl1 and libglib2.0-0; versions are not pinned because Debian and Ubuntu keep no old ones
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*

ENV PATH=/opt/batchocr/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1

# the packages are a layer of their own because they change less often than the code
COPY requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/batchocr \
    && pip install --require-hashes -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . /tmp/batchocr
RUN pip install --no-deps /tmp/batchocr && rm -rf /tmp/batchocr

# any user, also one without an account (docker run --user), may write to the working folder and to HOME
ENV HOME=/tmp
RUN useradd --no-create-home --home-dir /tmp --uid 10001 batchocr && mkdir --mode=1777 /work
USER 10001
WORKDIR /work

# doctor reads a page; its HOME is deleted, because another user could not write to the folders in it
RUN HOME=/tmp/doctor batchocr doctor && rm -rf /tmp/doctor

ENTRYPOINT ["batchocr"]
CMD ["--help"]
