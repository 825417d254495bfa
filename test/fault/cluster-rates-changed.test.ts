import { describe } from 'vitest';
import { canRunKafkaWhole, openKafkaWhole } from '../support/kafka-whole.ts';
import { ratesThatChange } from './rates-changed.ts';

describe.skipIf(!canRunKafkaWhole)(
  'rates that change between the crash of every service and their restart, on Kafka',
  () => {
    ratesThatChange(1_500, openKafkaWhole);
  },
);
