/** Statute or manual of each rule that a working names, by the rule's number in docs/rules/paye.md. */
const SOURCES = {
  '4': 'SI 2003/2682 regs 23 to 31',
  '4.1': 'HMRC tax table routines v24.0',
  '4.2': 'HMRC tax table routines v24.0',
  '4.4': 'HMRC tax table routines v24.0',
  '4.5': 'HMRC tax table routines v24.0',
  '4.6': 'SI 2003/2682 regs 23 to 31',
  '4.7': 'SI 2003/2682 regs 23 to 31',
  '4.8': 'SI 2003/2682 reg 2',
  '4.9': 'SI 2003/2682 regs 23 to 31',
  '4.10': 'SI 2003/2682 regs 31 to 53',
  '5.4': 'SI 2001/1004 regs 10 to 12',
  '5.5': 'SI 2001/1004 regs 3 to 15',
  '5.6': 'SI 2001/1004 reg 18',
  '5.8': 'SI 2001/1004 reg 8',
  '5.10': 'SSCBA 1992 s 10',
  '6.2': 'SI 2009/470 Part 4',
  '7.1': 'SI 2003/2682 regs 67G to 69',
  '7.2': 'NIC Act 2014 ss 1 to 4',
  '7.3': 'SSCBA 1992 s 167',
  '7.4': 'Finance Act 2016 ss 98 to 121',
  '7.5': 'Finance Act 2004 s 62',
} as const;

export type PayeRule = keyof typeof SOURCES;

/** The rule as a payroll clerk reads it beside a line: its statute or manual, then its number on this product's page of rules. */
export function citationOf(rule: PayeRule): string {
  return `${SOURCES[rule]} (rule ${rule})`;
}
