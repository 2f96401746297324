window.onload = () => {
  SwaggerUIBundle({
    dom_id: "#swagger-ui",
    urls: [
      { name: "Partner API", url: "/openapi.json" },
      { name: "Operator API", url: "/operator/v1/openapi.json" },
      { name: "Buyer API", url: "/buyer/v1/openapi.json" },
    ],
    "urls.primaryName": "Partner API",
    layout: "StandaloneLayout",
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl, withoutLogo],
    deepLinking: true,
    tryItOutEnabled: true,
    // By default the viewer shows documents of public servers to its makers' validator.
    validatorUrl: null,
  });
};

/** The viewer's own logo brings an inline style, which the policy of the page forbids. */
function withoutLogo() {
  return { components: { Logo: () => null } };
}
