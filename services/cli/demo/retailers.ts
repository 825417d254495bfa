/** What a retailer of the feed sells: a category of the VAT table whose rate does not change at present, the rate and a price. */
export interface Product {
  readonly category: string;
  /** Rate in force for the category; 0 for zero-rated, exempt and outside the scope. */
  readonly ratePercent: 0 | 5 | 20;
  readonly pricePence: number;
}

export interface Retailer {
  readonly name: string;
  /** Nine digits with valid check digits (vat.md 7.1). */
  readonly vrn: string;
  readonly tillIds: readonly string[];
  readonly linesMax: number;
  readonly products: readonly Product[];
}

export interface Till {
  readonly vrn: string;
  readonly tillId: string;
  readonly retailer: Retailer;
}

/** Invented retailers; the first seven digits are arbitrary and the last two follow from them. */
export const RETAILERS: readonly Retailer[] = [
  {
    name: 'Harbour Street Grocers',
    vrn: vrnOf('2147483'),
    tillIds: ['G-01', 'G-02', 'G-03'],
    linesMax: 12,
    products: [
      sold('food.basic', 0, 145),
      sold('food.basic', 0, 89),
      sold('food.cake', 0, 230),
      sold('drink.milk', 0, 165),
      sold('food.confectionery', 20, 95),
      sold('food.crisps', 20, 185),
      sold('drink.soft', 20, 140),
      sold('drink.alcohol', 20, 1_150),
      sold('food.pet', 20, 620),
      sold('carrier_bag_charge', 20, 30),
      sold('postage.stamps', 0, 850),
      sold('lottery.ticket', 0, 250),
      sold('deposit.returnable_container_drs', 0, 20),
    ],
  },
  {
    name: 'The Tollhouse Café',
    vrn: vrnOf('3856021'),
    tillIds: ['C-01'],
    linesMax: 5,
    products: [
      sold('catering.on_premises', 20, 895),
      sold('catering.on_premises', 20, 340),
      sold('drink.hot_takeaway', 20, 320),
      sold('food.sandwich_cold_takeaway', 0, 475),
      sold('catering.alcohol', 20, 560),
      sold('tip.voluntary', 0, 200),
    ],
  },
  {
    name: 'Fenwick Lane Books',
    vrn: vrnOf('6620914'),
    tillIds: ['B-01'],
    linesMax: 4,
    products: [
      sold('print.book', 0, 999),
      sold('print.book', 0, 1_499),
      sold('print.newspaper', 0, 180),
      sold('print.stationery', 20, 450),
      sold('voucher.mpv_sale', 0, 2_000),
    ],
  },
  {
    name: 'Marsh Pharmacy',
    vrn: vrnOf('7713358'),
    tillIds: ['P-01', 'P-02'],
    linesMax: 5,
    products: [
      sold('health.otc_medicine', 20, 379),
      sold('health.toiletries', 20, 525),
      sold('health.prescription', 0, 990),
      sold('health.sanitary_product', 0, 260),
      sold('health.smoking_cessation', 5, 1_850),
      sold('child.car_seat', 5, 12_999),
    ],
  },
  {
    name: 'Weaver & Daughters',
    vrn: vrnOf('9030267'),
    tillIds: ['W-01'],
    linesMax: 3,
    products: [
      sold('clothing.adult', 20, 3_995),
      sold('clothing.adult', 20, 1_850),
      sold('clothing.children', 0, 1_200),
      sold('clothing.cycle_helmet', 0, 3_499),
    ],
  },
];

export const TILLS: readonly Till[] = RETAILERS.flatMap((retailer) =>
  retailer.tillIds.map((tillId) => ({ vrn: retailer.vrn, tillId, retailer })),
);

function sold(category: string, ratePercent: 0 | 5 | 20, pricePence: number): Product {
  return { category, ratePercent, pricePence };
}

/** Completes seven digits by their check digits: 97 - (8d1 + 7d2 + … + 2d7 mod 97), which runs from 01 to 97 (vat.md 7.1). */
function vrnOf(sevenDigits: string): string {
  const sum = [...sevenDigits].reduce((total, digit, index) => total + Number(digit) * (8 - index), 0);
  return sevenDigits + String(97 - (sum % 97)).padStart(2, '0');
}
