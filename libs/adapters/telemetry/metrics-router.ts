import { Router } from 'express';
import type { Registry } from 'prom-client';

/** `GET /metrics` in Prometheus' text format: no labels of payers in it, so it needs no key. */
export function metricsRouter(registry: Registry): Router {
  const router = Router();
  router.get('/metrics', async (_request, response) => {
    const text = await registry.metrics();
    response.set('Content-Type', registry.contentType).set('Cache-Control', 'no-store').send(text);
  });
  return router;
}
