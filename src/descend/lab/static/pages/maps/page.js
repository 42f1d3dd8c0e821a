// The maps page before anything is computed.

export const PAGE = `
<section class="ds-map-top">
  <h1>Maps: every pixel is a complete descent</h1>
  <div class="ds-map-presets" role="group" aria-label="Maps to begin with"></div>
  <p class="ds-map-story"></p>
</section>
<div class="ds-map-main">
  <section class="ds-map-figure" aria-label="The map">
    <div class="ds-map-bar">
      <p class="ds-map-told" aria-live="polite"></p>
      <div class="ds-map-tools" role="group" aria-label="View">
        <button type="button" data-do="back" aria-label="Back to the view before (Backspace)" title="Back (Backspace)">←</button>
        <button type="button" data-do="forward" aria-label="Forward to the view after" title="Forward">→</button>
        <button type="button" data-do="out" aria-label="Zoom out (minus key)" title="Zoom out (−, or double-click)">−</button>
        <button type="button" data-do="in" aria-label="Zoom in (plus key)" title="Zoom in (+)">+</button>
        <button type="button" data-do="home" title="The whole map again">whole</button>
      </div>
    </div>
    <div class="ds-map-stage">
      <canvas class="ds-map-raster"></canvas><canvas class="ds-map-over"></canvas>
      <svg class="ds-map-axes" aria-hidden="true"></svg>
      <div class="ds-map-square" tabindex="0" role="application" aria-roledescription="map of descents"
        aria-describedby="ds-map-help"></div>
      <div class="ds-map-progress" hidden><i></i></div>
      <p class="ds-map-error" role="alert" hidden></p>
    </div>
    <div class="ds-map-legend"></div>
    <p class="ds-map-help" id="ds-map-help">Point to see that descent; click or <kbd>Enter</kbd> pins it; drag a rectangle to zoom in, double-click to
      zoom out. <kbd>arrows</kbd> move, <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>Backspace</kbd> goes back. On a touch screen: one finger points, two zoom.</p>
  </section>
  <aside class="ds-map-run" aria-label="One descent of the map">
    <p class="ds-map-which"></p>
    <h2 class="ds-map-regime"></h2>
    <dl class="ds-map-values"></dl>
    <p class="ds-map-sentence"></p>
    <div class="ds-map-pictures">
    <div class="ds-map-ground" role="img" aria-label="The path of this descent on the objective's contours"><canvas></canvas><canvas></canvas></div>
    <div class="ds-map-curve" role="img" aria-label="The loss of this descent, step by step"><canvas></canvas></div>
    </div>
    <p class="ds-map-message"></p>
    <table class="ds-map-modes" hidden>
      <thead><tr><th scope="col">along</th><th scope="col">curvature</th><th scope="col">a step</th><th scope="col">moves</th></tr></thead>
      <tbody></tbody>
    </table>
  </aside>
</div>
<section class="ds-map-make" aria-label="Make your own map"></section>
<p class="ds-map-said" aria-live="polite"></p>`;
