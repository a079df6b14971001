// Small help on plain pages: copy a link, put instants into the reader's own time.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.textContent = button.dataset.done;
  });
}
for (const form of document.querySelectorAll("[data-submit-on-change]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
for (const part of document.querySelectorAll("[data-place]")) {
  const [tick, lat, lon] = ["place", "lat", "lon"].map((name) => part.querySelector(`[name=${name}]`));
  const show = (state) => {
    for (const name of ["looking", "found", "lost"]) part.querySelector(`[data-${name}]`).hidden = name !== state;
  };
  const lost = () => { tick.checked = false; show("lost"); };
  tick.addEventListener("change", () => {
    lat.value = lon.value = "";
    show(tick.checked ? "looking" : "");
    if (!tick.checked) return;
    if (!navigator.geolocation) return lost();
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      lat.value = coords.latitude.toFixed(3);
      lon.value = coords.longitude.toFixed(3);
      show("found");
    }, lost, { timeout: 10000, maximumAge: 600000 });
  });
}
// Inside WeChat the browser itself pays, with what only the merchant could sign.
for (const button of document.querySelectorAll("[data-wechat-pay]")) {
  const names = ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"];
  const order = Object.fromEntries(names.map((name) => [name, button.getAttribute(`data-w-${name.toLowerCase()}`)]));
  const pay = () => WeixinJSBridge.invoke("getBrandWCPayRequest", order, (said) => {
    location.href = button.dataset.wechatPay + (said.err_msg === "get_brand_wcpay_request:ok" ? "" : "&failed=1");
  });
  button.addEventListener("click", () => {
    if (window.WeixinJSBridge) pay();
    else document.addEventListener("WeixinJSBridgeReady", pay, { once: true });
  });
}
