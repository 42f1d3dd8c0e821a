// Numbers as the library writes them (descend.figures.data.number): 0.4, −2.5, 1.89×10⁷. A test holds the two equal.
const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

export const superscript = (n) => String(n).replace(/[-0-9]/g, (c) => SUPERSCRIPTS[c]);

/** The number with so many significant digits: a number of 3, 1,234 or 1.9×10⁷; no NaN and no Infinity is ever shown as such. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "no number";
  if (Math.abs(value) === Infinity) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? "−" : "";
  if (size === 0) return `${sign}0`;
  if (size >= 1000 && size < 99999.5) {
    const after = Math.max(0, digits - 5);
    const [head, power] = rounded(size, (size >= 10000 ? 5 : 4) + after);
    const whole = head.slice(0, power + 1).replace(/\B(?=(\d{3})+$)/g, ",");
    return sign + whole + (after ? `.${head.slice(power + 1).padEnd(after, "0").slice(0, after)}` : "");
  }
  const [head, power] = rounded(size, digits);
  if (power < -4 || power >= digits) return `${sign}${trim(`${head[0]}.${head.slice(1)}`)}×10${superscript(power)}`;
  const text = power < 0 ? `0.${"0".repeat(-power - 1)}${head}` : `${head.slice(0, power + 1)}.${head.slice(power + 1)}`;
  return sign + trim(text);
}

/** Digits and power of ten, halves to the even digit as Python has it (JavaScript rounds them up). */
function rounded(size, digits) {
  const read = (text) => {
    const [mantissa, power] = text.split("e");
    return [mantissa.replace(".", ""), Number(power)];
  };
  const exact = read(size.toExponential(100));
  const tail = exact[0].slice(digits);
  if (/^50*$/.test(tail) && Number(exact[0][digits - 1]) % 2 === 0) return [exact[0].slice(0, digits), exact[1]];
  return read(size.toExponential(digits - 1));
}

const trim = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

/** A number to be typed again: few digits, no sign but the ASCII minus, and the number itself where it has few. */
export function plain(value, digits = 4) {
  return typeof value === "number" ? String(Number(value.toPrecision(digits))) : String(value);
}
