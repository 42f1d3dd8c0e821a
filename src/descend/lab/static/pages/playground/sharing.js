import { h } from "../../controls.js";
export class Share { constructor() { this.element = h("div", {}); } }
