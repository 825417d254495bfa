import { Router } from 'express';
import { requireClient } from '../../libs/adapters/access/bearer.ts';
import { clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { createHealth } from '../../libs/adapters/server/health.ts';
import { startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { jsonBody } from '../../libs/adapters/server/request-body.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';

/**
 * A server of its own process with one door for JSON of the client with the key `key-of-one`: says its address, and for each line on its
 * input the most memory that it held, in KiB. Ends with its input.
 */
const client = {
  id: 'one',
  keySha256: digestOfKey('key-of-one'),
  accounts: '*',
  roles: ['payer'],
  expiresAt: null,
} as const;
const router = Router();
const guard = requireClient({ clients: clientRegistry([client]), clock: systemClock }, 'payer');
router.post('/door', guard, ...jsonBody, (request, response) => {
  response.json({ elements: Array.isArray(request.body) ? request.body.length : 1 });
});
const logger = createLogger({ service: 'test', level: 'silent' });
const app = createHttpApp({ routers: [createHealth().router, router] }, { logger });
const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
process.stdout.write(`${server.url}\n`);
process.stdin.on('data', () => process.stdout.write(`${process.resourceUsage().maxRSS}\n`));
process.stdin.on('close', () => process.exit());
