import { Router } from 'express';
import type { Registry } from 'prom-client';
import { everybody } from '../access/bearer.ts';

/** `GET /metrics` in Prometheus' text format: no labels of payers in it, so it needs no key. */
export function metricsRouter(registry: Registry): Router {
  const router = Router();
  router.get('/metrics', everybody, async (_request, response) => {
    const text = await registry.metrics();
    response.set('Content-Type', registry.contentType).set('Cache-Control', 'no-store').send(text);
  });
  return router;
}
