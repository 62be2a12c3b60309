# Where no registry can be reached, scripts/base-image makes the base image.
FROM debian:bookworm-slim AS build
WORKDIR /troupe
# The packages first: their layer is built again only when the list changes.
COPY scripts/help scripts/install scripts/packages scripts/
RUN scripts/install build
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF \
 && cmake --build build/release --target troupe \
 && install -s build/release/node/troupe /usr/local/bin/troupe

FROM debian:bookworm-slim
COPY scripts/help scripts/install scripts/packages /tmp/troupe/scripts/
RUN /tmp/troupe/scripts/install run \
 && rm -rf /tmp/troupe /var/lib/apt/lists/* /var/cache/apt/*.bin \
      /var/cache/apt/archives/*.deb \
 && useradd --system --home-dir /var/lib/troupe troupe \
 && install -d -o troupe -g troupe /var/lib/troupe
COPY --from=build /usr/local/bin/troupe /usr/local/bin/troupe
# A wildcard address makes the node tell others its host's name. The cluster's
# port, which has no authentication yet, is opened by who runs the image:
# TROUPE_CLUSTER_ENABLED=true with TROUPE_CLUSTER_INSECURE=true.
ENV TROUPE_NODE_ADDRESS=0.0.0.0 \
    TROUPE_CLUSTER_ENABLED=false \
    TROUPE_NODE_DATA_DIRECTORY=/var/lib/troupe/data \
    TROUPE_NODE_LOG_DIRECTORY=/var/lib/troupe/logs
USER troupe
# All that a node writes: the rest of the image may be read-only.
VOLUME /var/lib/troupe
EXPOSE 3006 3007 8080 6380
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s \
  CMD curl -fs --max-time 2 "http://127.0.0.1:${TROUPE_NODE_API_PORT:-${PORT:-3006}}/health" || exit 1
ENTRYPOINT ["troupe"]
CMD ["serve"]
