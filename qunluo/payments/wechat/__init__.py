"""WeChat Pay 微信支付, API v3, through the library wechatpayv3."""
