/** The programs of docs/publishing.md: which forms each sends, and the payload by which each event is known again. */
export const FORMS = [
  "envelope",
  "cloudevent-binary",
  "cloudevent-structured",
  "avro",
  "avro-registry",
  "http",
  // of the sources of examples/sources.yaml
  "orders",
  "parcels",
] as const;

export type Form = (typeof FORMS)[number];
export type LanguageName = "TypeScript" | "Python" | "Java" | "Go";

export interface Program {
  readonly language: LanguageName;
  /** Below examples/. */
  readonly file: string;
  /** The payload of each form, in the order of its arguments. Over HTTP a program has no arguments. */
  readonly sends: Readonly<Partial<Record<Form, string>>>;
}

export const order = (id: number): string => `{"orderId":${id},"total":12.50}`;

export const PROGRAMS: readonly Program[] = [
  {
    language: "TypeScript",
    file: "forms.ts",
    sends: {
      envelope: order(1),
      avro: order(2),
      "cloudevent-binary": order(3),
      "cloudevent-structured": order(4),
      "avro-registry": order(5),
      orders: '{"id":1001,"total":12.50}',
      parcels: '{"parcel":"p-7","at":"Bremen"}',
    },
  },
  {
    language: "TypeScript",
    file: "door.ts",
    sends: { http: '{"orderId":20,"total":"12.50"}' },
  },
  {
    language: "Python",
    file: "forms.py",
    sends: {
      envelope: order(41),
      avro: order(42),
      "cloudevent-binary": order(43),
      "cloudevent-structured": order(44),
      "avro-registry": order(45),
    },
  },
  {
    language: "Python",
    file: "door.py",
    sends: { http: '{"orderId": 21, "total": "12.50"}' },
  },
  {
    language: "Java",
    file: "Forms.java",
    sends: {
      envelope: order(11),
      "cloudevent-binary": order(13),
      "cloudevent-structured": order(14),
    },
  },
  {
    language: "Java",
    file: "Avro.java",
    sends: { avro: order(12), "avro-registry": order(15) },
  },
  { language: "Java", file: "Door.java", sends: { http: order(23) } },
  {
    language: "Go",
    file: "go/forms.go",
    sends: {
      envelope: order(51),
      avro: order(52),
      "cloudevent-binary": order(53),
      "cloudevent-structured": order(54),
      "avro-registry": order(55),
    },
  },
  {
    language: "Go",
    file: "door.go",
    sends: { http: '{"orderId":22,"total":"12.50"}' },
  },
];

/** The README's programs, which send an envelope each. */
export const SHORT_PROGRAMS: readonly Program[] = [
  {
    language: "TypeScript",
    file: "publish.ts",
    sends: { envelope: '{"orderId":1001,"total":"49.90"}' },
  },
  {
    language: "Python",
    file: "publish.py",
    sends: { envelope: '{"orderId": 1002, "total": "12.00"}' },
  },
  {
    language: "Java",
    file: "Publish.java",
    sends: { envelope: '{"orderId": 1003, "total": "7.50"}' },
  },
];

/** What the blocks of docs/publishing.md send that begin with such a command; they are run as they are printed. */
export const COMMANDS = {
  kcat: {
    envelope: order(31),
    "cloudevent-binary": order(33),
    "cloudevent-structured": order(34),
  },
  curl: { http: order(35) },
} as const satisfies Record<string, Partial<Record<Form, string>>>;
