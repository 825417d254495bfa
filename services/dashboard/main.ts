import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { dashboardService } from './dashboard-service.ts';

await runService(dashboardService);
