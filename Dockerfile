# A server of compressed models: the program, the libraries that it loads, and nothing else; 7.4 MB beside the model.
#   docker build -t snc .                                                    # no model inside: it is mounted
#   docker run -p 127.0.0.1:8080:8080 -v "$PWD/out/compressed.snc:/model.snc:ro" snc
#   docker build -t mine --target model --build-arg MODEL=out/compressed.snc .
# --build-arg TLS=1 has Debian's HTTP library, for --tls-cert: 7 MB more. `packaging/image.sh` has the steps.
FROM debian:bookworm-slim AS build
ARG TLS=0
WORKDIR /snc
COPY packaging/image.sh packaging/image.sh
# hadolint ignore=SC2046
RUN apt-get update && apt-get install -y --no-install-recommends $(packaging/image.sh needs) && rm -rf /var/lib/apt/lists/*
COPY . .
RUN TLS=$TLS packaging/image.sh build /build && packaging/image.sh root /build /image

FROM scratch AS server
COPY --from=build /image /
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/bin/healthy", "8080"]
ENTRYPOINT ["/usr/bin/snc"]
CMD ["serve", "/model.snc", "--host", "0.0.0.0", "--port", "8080"]

FROM server AS model
ARG MODEL=model.snc
COPY ${MODEL} /model.snc

# What is built where no target is named.
FROM server
