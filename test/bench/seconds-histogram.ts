/** A histogram of seconds as Prometheus reads it. */
export interface SecondsHistogram {
  /** As `histogram_quantile` works it out: evenly spread within a bucket. Null where nothing was observed. */
  quantileMs(share: number): number | null;
}

/** Reads one metric without labels from the text that a service exposes. */
export function secondsHistogram(metrics: string, name: string): SecondsHistogram {
  const buckets: { readonly upTo: number; readonly count: number }[] = [];
  for (const line of metrics.split('\n')) {
    const found = /^(\w+)_bucket\{le="([^"]+)"\} (\d+)$/.exec(line);
    if (found === null || found[1] !== name) continue;
    const upTo = found[2] === '+Inf' ? Number.POSITIVE_INFINITY : Number(found[2]);
    buckets.push({ upTo, count: Number(found[3]) });
  }
  return {
    quantileMs(share) {
      const wanted = (buckets.at(-1)?.count ?? 0) * share;
      if (wanted === 0) return null;
      const at = buckets.findIndex(({ count }) => count >= wanted);
      const below = buckets[at - 1] ?? { upTo: 0, count: 0 };
      const bucket = buckets[at];
      if (bucket === undefined || bucket.upTo === Number.POSITIVE_INFINITY) return below.upTo * 1_000;
      const part = (wanted - below.count) / (bucket.count - below.count);
      return (below.upTo + (bucket.upTo - below.upTo) * part) * 1_000;
    },
  };
}
