import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { gatewayService } from './gateway-service.ts';

await runService(gatewayService);
