/** A supplier of SRM. All suppliers here are invented. */
export interface Vendor {
  readonly id: string;
  readonly name: string;
}

export const vendors: readonly Vendor[] = [
  { id: '0000100234', name: 'Nordlys Conseil SA' },
  { id: '0000100301', name: 'Brückner & Söhne GmbH' },
  { id: '0000100302', name: 'Ateliers Réunis de la Méhaigne SPRL' },
  { id: '0000100303', name: 'Van der Waerden Techniek B.V.' },
  { id: '0000100304', name: 'O’Malley "Fast" Couriers Ltd' },
  { id: '0000100305', name: 'Hoshizora Kaihatsu 星空開発株式会社' },
  { id: '0000100306', name: 'Łódzka Pracownia Danych Sp. z o.o.' },
  { id: '0000100307', name: 'Gulf Pearl Trading W.L.L.' },
  { id: '0000100308', name: 'Çınar Mühendislik A.Ş.' },
  { id: '0000100309', name: 'Facility <Plus> & Partners' },
  { id: '0000100310', name: 'Ingeniería Peñalba S.L.' },
  { id: '0000100311', name: 'Smørum Laboratorieudstyr ApS' },
];

/** A supplier that is closed in 11VMS. The local value map translates it to SUP-INACTIVE. */
export const inactiveVendor: Vendor = { id: '0000199999', name: 'Dormant Supplies Ltd' };

/** Edge case 38: some currencies have no decimals, or three. */
export const currencies: readonly string[] = ['EUR', 'USD', 'GBP', 'CHF', 'JPY', 'KWD', 'TND', 'BHD', 'KRW'];

/** A delivery address, as in partner 27. */
export interface Address {
  readonly partnerNo: string;
  readonly name: string;
  readonly street: string;
  readonly houseNo: string;
  readonly postalCode: string;
  readonly city: string;
  readonly region: string;
  /** The country code of SAP, which differs from ISO for two countries. */
  readonly country: string;
}

export interface Company {
  readonly code: string;
  readonly controllingArea: string;
  readonly purchasingOrganization: string;
  readonly zone: string;
  readonly language: string;
  /** The percentage of tax code V1. */
  readonly taxRate: bigint;
  readonly addresses: readonly Address[];
}

/** The companies of the local value map. */
export const companies: readonly Company[] = [
  {
    code: 'BE10',
    controllingArea: '1000',
    purchasingOrganization: 'O 50000123',
    zone: 'CET',
    language: 'F',
    taxRate: 21n,
    addresses: [
      address('0000700001', 'Brussels campus, building B', 'Rue du Canal', '12', '1000', 'Brussels', '', 'BE'),
      address('0000700002', 'Magasin central – quai 4', 'Chaussée d’Éghezée', '118 bis', '5000', 'Namur', '', 'BE'),
    ],
  },
  {
    code: 'FR20',
    controllingArea: '2000',
    purchasingOrganization: 'O 50000220',
    zone: 'CET',
    language: 'FR',
    taxRate: 20n,
    addresses: [
      address('0000700011', 'Site de Besançon', 'Rue de l’Étang', '7', '25000', 'Besançon', '25', 'FR'),
      address('0000700012', 'Athens liaison office', 'Odos Ermou', '31', '10563', 'Athens', '', 'EL'),
    ],
  },
  {
    code: 'DE30',
    controllingArea: '3000',
    purchasingOrganization: 'O 50000330',
    zone: 'CET',
    language: 'D',
    taxRate: 19n,
    addresses: [
      address('0000700021', 'Werk Süd, Tor 3', 'Große Bleiche', '45a', '55116', 'Mainz', '07', 'DE'),
      address('0000700022', 'Prüfstelle Köln', 'Äußere Kanalstraße', '1', '50827', 'Köln', '05', 'DE'),
    ],
  },
  {
    code: 'NL40',
    controllingArea: '3000',
    purchasingOrganization: 'O 50000440',
    zone: 'CET',
    language: 'N',
    taxRate: 21n,
    addresses: [
      address('0000700031', 'Magazijn Noord', 'IJsselkade', '210', '8011 AE', 'Zwolle', '', 'NL'),
      address('0000700032', 'Leeds service depot', 'Canal Wharf', '9', 'LS11 5PS', 'Leeds', '', 'UK'),
    ],
  },
];

function address(
  ...[partnerNo, name, street, houseNo, postalCode, city, region, country]: readonly [
    ...[string, string, string, string],
    ...[string, string, string, string],
  ]
): Address {
  return { partnerNo, name, street, houseNo, postalCode, city, region, country };
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Requesters and approvers. */
export const people: readonly Person[] = [
  { id: 'JDUPONT', name: 'Jean Dupont', email: 'j.dupont@example.test' },
  { id: 'MMARTIN', name: 'Manon Martin', email: 'm.martin@example.test' },
  { id: 'ZLECLERC', name: 'Zoé Leclerc-Åström', email: 'z.leclerc@example.test' },
  { id: 'GWEISS', name: 'Günther Weiß', email: 'Guenther.Weiss@example.test' },
  { id: 'SVANDIJK', name: 'Sanne van Dijk', email: 's.vandijk@example.test' },
  { id: 'TOKAFOR', name: 'Tobenna Okafor', email: 't.okafor@example.test' },
  { id: 'YTANAKA', name: '田中 由美', email: 'y.tanaka@example.test' },
  { id: 'INUNEZ', name: 'Íñigo Núñez', email: 'i.nunez@example.test' },
];

export interface Article {
  readonly description: string;
  readonly category: string;
}

/** Goods. Every description fits the 40 characters of SRM. */
export const goods: readonly Article[] = [
  { description: 'Nitrile gloves, size L', category: 'MAT-PPE-03' },
  { description: 'Laptop dock, USB-C', category: 'MAT-IT-07' },
  { description: 'Schrauben M8×40, verzinkt', category: 'MAT-FIX-01' },
  { description: 'Câble réseau Cat. 6A, 5 m', category: 'MAT-IT-02' },
  { description: 'Filter 5" <coarse> & seal', category: 'MAT-MRO-11' },
  { description: '精密ベアリング 6204', category: 'MAT-MRO-04' },
  { description: 'Koffiebonen, 1 kg ☕', category: 'MAT-CAT-01' },
  { description: 'Étiquettes « Fragile »', category: 'MAT-OFF-09' },
  { description: 'قفازات واقية، مقاس كبير', category: 'MAT-PPE-04' },
];

/** Work that is paid by time. */
export const labour: readonly Article[] = [
  { description: 'Data engineer, senior', category: 'SERV-IT-01' },
  { description: 'Prüfingenieur Elektrotechnik', category: 'SERV-ENG-02' },
  { description: 'Chef de projet déploiement', category: 'SERV-IT-03' },
  { description: 'Onderhoudsmonteur nachtdienst', category: 'SERV-MNT-01' },
];

/** Work that is paid by result. */
export const services: readonly Article[] = [
  { description: 'Annual lift inspection', category: 'SERV-MNT-07' },
  { description: 'Übersetzung Handbuch DE → JA', category: 'SERV-LNG-01' },
  { description: 'Nettoyage des façades', category: 'SERV-FAC-04' },
  { description: 'Security test 🔐 web portal', category: 'SERV-IT-09' },
];

/** Spending up to a limit. */
export const allowances: readonly Article[] = [
  { description: 'Travel expenses', category: 'SERV-TRV-01' },
  { description: 'Petites fournitures', category: 'SERV-MSC-01' },
  { description: 'Unplanned repairs', category: 'SERV-MNT-99' },
];

/** Cart descriptions, in several languages. */
export const titles: readonly string[] = [
  'Data platform mission Q1 2027',
  'Besoins atelier – février',
  'Ersatzteile für Linie 3 (dringend!)',
  'Werkplekken 2e verdieping',
  'R&D lab consumables <batch 7>',
  '東京オフィス備品',
  'Kampagne "Frühling" 🌱',
  'Renovação do laboratório',
  'لوازم مكتب الرباط',
];

/** A text with its language key in SRM, which has one or two characters. */
export interface Wording {
  readonly language: string;
  readonly text: string;
}

/** Texts as people type and paste them, with the remains of an editor. */
export const wordings: readonly Wording[] = [
  { language: 'EN', text: 'Presence on site three days a week.\r\nDeliverables: see annex.' },
  { language: 'E', text: 'Call the gatekeeper <(>&<)> show the delivery note.' },
  { language: 'F', text: 'Livraison à l’arrière du bâtiment,\r\nsonner « Réception ».\r\nMerci !' },
  { language: 'FR', text: 'Prévoir 2\u00a0personnes\u00a0; accès réservé.' },
  { language: 'D', text: 'Anlieferung nur Mo–Fr, 7–15 Uhr.\r\n\tTor 3, Straße gesperrt für > 7,5 t.' },
  { language: 'DE', text: 'Rückfragen an die Abteilung Forschung <(>&<)> Entwicklung.' },
  { language: 'N', text: 'Levering op de begane grond.\nGeen pallets hoger dan 1,80 m.' },
  { language: 'JA', text: '納品書を必ず同封してください。\r\n受付：１階 📦' },
  { language: 'ZH', text: '請於工作日上午送達，謝謝 👍🏽' },
  { language: 'ES', text: 'Entregar sólo con cita previa: ¿quién firma?' },
  { language: 'EN', text: 'Pasted from a form:\u000bline two "quoted" \\ and a path C:\\temp' },
  { language: 'AR', text: 'يرجى التسليم قبل الساعة ١٢:٠٠ – شكراً' },
  { language: 'PT', text: 'Atenção: cafe\u0301 e pa\u0303o, sem glúten.' },
];

/** Kinds of header text: to the supplier, internal, general, and one without a place in 11VMS. */
export const headerTextTypes: readonly string[] = ['NOTE', 'NOTE', 'INTN', 'VEND', 'ZAPP'];

export const documents: readonly { readonly fileName: string; readonly mimeType: string }[] = [
  { fileName: 'annex-1.pdf', mimeType: 'application/pdf' },
  {
    fileName: 'offre détaillée (v2).docx',
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  },
  { fileName: '見積書.xlsx', mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' },
];

/** Characters that editors, forms and old interfaces leave in a text. None may reach 11VMS unchanged. */
export const noises: readonly string[] = [
  '\u00a0',
  '\r',
  '\r\n',
  '\t',
  '\ufeff',
  '\u0000',
  '\u0007',
  '\u000b',
  '\u001f',
  '<(>&<)>',
  // The two halves of an emoji.
  '\ud83d',
  '\udc4d',
  '👩🏽‍🔧',
];
