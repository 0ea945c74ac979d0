// Plays https://checkout.razorpay.com/v1/checkout.js as far as shops use it: `new Razorpay(options)`, `open`, `on`, `close`.
// The page of the hosted checkout is shown in a frame over the shop's page, and tells its result with a message.
(() => {
  const origin = new URL(document.currentScript.src).origin;
  let count = 0;

  class Razorpay {
    constructor(options) {
      if (!options?.key || !options.order_id) throw new Error("key and order_id are needed");
      this.options = options;
      this.handlers = {};
    }

    on(event, handler) {
      this.handlers[event] = handler;
    }

    open() {
      const { key, order_id, name, description, handler, modal } = this.options;
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-label", "Razorpay");
      Object.assign(dialog.style, { width: "min(24rem, 92vw)", height: "26rem", padding: "0", border: "0", borderRadius: "12px" });
      const frame = document.createElement("iframe");
      frame.name = frame.title = `razorpay-checkout-${(count += 1)}`;
      Object.assign(frame.style, { width: "100%", height: "calc(100% - 48px)", border: "0", background: "#fff" });
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = "Close";
      Object.assign(close.style, { width: "100%", height: "44px" });
      close.addEventListener("click", () => dialog.close());
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: `${origin}/v1/checkout/embedded`, target: frame.name, hidden: true });
      const fields = { key_id: key, order_id, name: name ?? "", description: description ?? "", frame: "1" };
      for (const [field, value] of Object.entries(fields)) {
        form.append(Object.assign(document.createElement("input"), { type: "hidden", name: field, value }));
      }
      dialog.append(frame, close, form);
      let result;
      const hear = ({ source, data }) => {
        if (source !== frame.contentWindow) return;
        if (data.error) return this.handlers["payment.failed"]?.({ error: data.error });
        result = data;
        dialog.close();
      };
      addEventListener("message", hear);
      dialog.addEventListener("close", () => {
        removeEventListener("message", hear);
        dialog.remove();
        if (result) handler?.(result);
        else modal?.ondismiss?.();
      });
      this.close = () => dialog.close();
      document.body.append(dialog);
      dialog.showModal();
      form.submit();
    }
  }

  globalThis.Razorpay = Razorpay;
})();
