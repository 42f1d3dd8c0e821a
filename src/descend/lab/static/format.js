// Numbers as the library writes them (descend.figures.data.number): 0.4, −2.5, 1.89×10⁷.
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export const superscript = (n) => String(n).replace(/[-0-9]/g, (c) => SUPERSCRIPTS[c]);

export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "no number";
  if (Math.abs(value) === Infinity) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000 && size < 99999.5) {
    return value.toLocaleString("en-US", { maximumFractionDigits: Math.max(0, digits - 5) }).replace("-", "−");
  }
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -5 + 1 || power >= digits) return `${trim(mantissa)}×10${superscript(power)}`.replace("-", "−");
  return trim(Number(value.toPrecision(digits)).toFixed(Math.max(0, digits - 1 - power))).replace("-", "−");
}

const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
