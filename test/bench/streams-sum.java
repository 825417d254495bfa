import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;

/**
 * What tax alone is measured against: Kafka Streams, a sum for each key over the same event topics, in a persistent store with its changelog.
 * Of each event the new sum is written, as tax writes a decision of each. The sum is that of the values' lengths: nothing is decoded, so
 * this is the least that Streams can do.
 *
 * java -cp 'jars/*' streams-sum.java BROKERS APPLICATION STATE-FOLDER THREADS CACHE-BYTES OUTPUT-TOPIC INPUT-TOPIC…
 */
class StreamsSum {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, args[3]);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, args[4]);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");

    StreamsBuilder builder = new StreamsBuilder();
    List<String> inputs = List.of(args).subList(6, args.length);
    builder
        .stream(inputs, Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .aggregate(
            () -> 0L,
            (key, value, sum) -> sum + value.length,
            Materialized.with(Serdes.String(), Serdes.Long()))
        .toStream()
        .to(args[5], Produced.with(Serdes.String(), Serdes.Long()));

    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.RUNNING) System.out.println("begun");
      if (now == KafkaStreams.State.ERROR) System.exit(1);
    });
    streams.start();
    // Its input closes with the bench, however that ended.
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}
