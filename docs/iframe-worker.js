// Search from disk. A browser gives no worker to a page that was opened as a file; its script runs in a hidden frame
// instead, which the theme's search knows by the name IFrameWorker. On a server nothing is changed.
"use strict";
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow;
      inner.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      inner.importScripts = async (...addresses) => { for (const one of addresses) await this.load(one); };
      this.ready = this.load(address);
    }
    load(address) {
      const inner = this.frame.contentWindow, script = inner.document.createElement("script");
      script.src = address;
      return new Promise((done, failed) => {
        script.onload = done;
        script.onerror = failed;
        inner.document.body.append(script);
      });
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() { this.frame.remove(); }
  };
}
