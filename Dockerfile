# One image, two roles: the API (default) and the worker. Node's own slim image, no shell tricks at run time.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json ./
COPY models models
COPY services services
COPY jobs jobs
COPY deploy deploy
RUN npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
LABEL org.opencontainers.image.title="phasewise" \
      org.opencontainers.image.description="A recommendation service that climbs the model ladder only when the evidence pays for it." \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    PHASEWISE_HOME=/data \
    HOST=0.0.0.0
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=build --chown=root:root /app/package.json ./
COPY --from=build --chown=root:root /app/node_modules node_modules
COPY --from=build --chown=root:root /app/dist dist
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.PORT||3000)+'/healthz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# The worker: docker run … phasewise dist/jobs/worker.js     The CLI: docker run … phasewise dist/deploy/cli/main.js
ENTRYPOINT ["node"]
CMD ["dist/services/serving/server.js"]
