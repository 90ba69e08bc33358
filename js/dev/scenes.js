// Scripted states of a run for looking at.
const now = Date.now() / 1000;

class Script {
  seq = 0;
  records = [];
  namespaces = {};
  constructor(label, thread) {
    this.thread = thread;
    this.box([], { label, started_at: now - 42 });
  }
  box(namespace, fields = {}) {
    const seq = namespace.length ? ++this.seq : 0;
    const key = namespace.join("|");
    const parent = namespace.length ? namespace.slice(0, -1).join("|") : null;
    this.namespaces[key] = {
      ...{ key, namespace, parent, spawned_by: null, status: "running", is_agent: true, seq, order: seq },
      ...{ label: namespace.at(-1)?.split(":")[0], started_at: now },
      ...fields,
    };
    return namespace;
  }
  add(type, namespace, fields) {
    const seq = ++this.seq;
    const speaker = this.namespaces[namespace.join("|")].label;
    const record = {
      id: `${type}:${seq}`,
      type,
      namespace,
      speaker,
      seq,
      order: seq,
      status: "completed",
      content: "",
      started_at: now - 30,
      ended_at: now - 29,
      ...fields,
    };
    this.records.push(record);
    return record;
  }
  ai(namespace, content, fields) {
    return this.add("ai", namespace, { content, ...fields });
  }
  tool(namespace, name, args, content, seconds = 0.8, fields = {}) {
    return this.add("tool_call", namespace, {
      name,
      args,
      content,
      started_at: now - seconds,
      ended_at: now,
      ...fields,
    });
  }
  snapshot(status, run = {}) {
    return {
      ...{ type: "snapshot", epoch: "e", n: 0, chat_history: [], live_chat: this.records, earlier: 0 },
      namespaces: this.namespaces,
      run: { status, turn: 1, now, started_at: now - 42, thread_id: this.thread, ...run },
    };
  }
}

function begin(s, done) {
  const end = done ? { status: "completed", ended_at: now - 10 } : {};
  s.add("user", [], {
    content: "Analyze the Q3 sales data and create visualizations of the regional trends.",
    speaker: "You",
  });
  s.ai(
    [],
    "I'll coordinate this. First a short plan, then the analysis team and the chart agent can work at the same time.",
    { speaker: "supervisor", usage: { total_tokens: 1026 } },
  );
  const planner = s.box(["planner:1"], {
    status: "completed",
    started_at: now - 38,
    ended_at: now - 35.6,
    usage: { total_tokens: 612 },
  });
  s.ai(planner, "Split into two tracks: trend statistics, and one chart per region. More text follows.");
  const team = s.box(["analysis_team:2"], { started_at: now - 31, usage: { total_tokens: 3904 }, ...end });
  const chart = s.box(["chart_agent:3"], { started_at: now - 30, usage: { total_tokens: 2870 }, ...end });
  s.ai(team, "Processing your data. I'll check trend significance, then data quality.");
  s.tool(team, "load_dataset", { path: "q3_sales.parquet" }, "12,480 rows × 9 columns");
  const stats = s.box([...team, "stats_agent:4"], { started_at: now - 23, ...end });
  s.tool(
    stats,
    "run_sql",
    { query: "select region, slope(revenue) from sales group by region" },
    "4 rows · North +8.1 %, South −2.3 %, …\nand more",
    0.4,
  );
  s.ai(stats, "North and East grow significantly. South's dip may come from a few large returns.");
  const outlier = s.box([...stats, "outlier_checker:5"], { started_at: now - 12, ...end });
  return { team, chart, stats, outlier };
}

function live() {
  const s = new Script("research_supervisor", "sales-q3");
  const { chart, outlier } = begin(s, false);
  s.tool(outlier, "detect_outliers", { column: "revenue", method: "iqr" }, "", 3.1, {
    status: "executing",
    ended_at: undefined,
  });
  s.ai(outlier, "Revenue has a heavy right tail, so I am using the **IQR rule** per", {
    status: "streaming",
    ended_at: undefined,
  });
  s.ai(chart, "", {
    reasoning: "A line chart per region would share the axis.",
    started_at: now - 9,
    ended_at: now - 5,
  });
  s.ai(
    chart,
    "One small multiple per region, weekly revenue, one shared axis, so the slopes are comparable.",
  );
  s.tool(chart, "pick_palette", { n: 4, kind: "categorical" }, "", 0.1);
  for (const [region, seconds] of [
    ["North", 1.2],
    ["East", 1.1],
  ]) {
    const call = s.tool(chart, "render_chart", { region }, "", seconds);
    s.add("artifact", chart, {
      title: `Revenue, ${region}`,
      kind: "figure",
      created_by: call.id,
      mime: { "text/plain": "<Figure>" },
    });
  }
  s.tool(chart, "render_chart", undefined, "", 0, {
    status: "calling",
    args_text: '{"region": "South", "x": "week", "y": "rev',
    ended_at: undefined,
  });
  return { snapshot: s.snapshot("running") };
}

const LINES = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 260 112"><g stroke="#8884" stroke-width="1"><path d="M24 10H226M24 38H226M24 66H226M24 94H226"/></g><g fill="none" stroke-width="1.8"><path stroke="#4a55c8" d="M24 58 41 55 58 56 75 50 92 47 109 44 126 40 143 38 160 33 177 30 194 25 211 22 226 18"/><path stroke="#0a7475" d="M24 66 41 64 58 62 75 63 92 59 109 57 126 54 143 55 160 51 177 48 194 47 211 43 226 41"/><path stroke="#6a7414" d="M24 78 41 77 58 78 75 78 92 77 109 78 126 77 143 78 160 77 177 78 194 77 211 78 226 77"/></g></svg>`;

function finished() {
  const s = new Script("research_supervisor", "sales-q3");
  const { team, chart, outlier } = begin(s, true);
  s.tool(outlier, "detect_outliers", { column: "revenue", method: "iqr" }, "3 outliers", 3.4);
  s.ai(outlier, "Three large returns.");
  s.ai(team, "North and East grow significantly; South's dip is three large returns.");
  s.tool(chart, "render_chart", { region: "South" }, "", 1, { status: "failed", error: "KeyError: 'South'" });
  for (let i = 0; i < 12; i++) s.tool(chart, "render_chart", { region: `R${i}` }, "ok", 1.1);
  s.ai(chart, "Four small multiples on a shared axis, one retry for South.");
  s.ai(
    [],
    "Analysis complete. Three things stand out:\n\n- **North +8.1 %** and **East +5.4 %** per quarter, both significant (p < 0.01).\n- South looks negative only because of three returns in week 9.\n- West is flat; nothing to report.\n\n| region | slope |\n|---|--:|\n| North | +8.1 % |\n\n```python\ndf.groupby('region').slope()\n```",
    { speaker: "supervisor" },
  );
  s.add("artifact", [], { title: "Regional trends", kind: "figure", mime: { "image/svg+xml": LINES } });
  s.add("artifact", [], {
    title: "trends",
    kind: "DataFrame 4 × 4",
    mime: {
      "text/markdown":
        "| region | slope | p | n |\n|---|--:|--:|--:|\n| North | +8.1 % | 0.001 | 3,204 |\n| East | +5.4 % | 0.007 | 3,118 |\n| South | −2.3 % | 0.412 | 3,090 |",
    },
  });
  s.add("artifact", [], {
    title: "Analysis report",
    kind: "markdown",
    mime: {
      "text/markdown":
        "**Q3 regional trends**\n\nWeekly revenue was fitted per region with a robust slope. Two of four regions grow…",
    },
  });
  s.namespaces[""].status = "completed";
  return { snapshot: s.snapshot("completed", { ended_at: now + 22 }) };
}

function failed() {
  const s = new Script("market_brief", "eu-chips");
  s.add("user", [], { content: "Brief me on European chip makers this week.", speaker: "You" });
  s.ai([], "News and prices first, then a summary.", {
    speaker: "supervisor",
    usage: { total_tokens: 4077 },
  });
  const news = s.box(["news_agent:1"], { status: "completed", started_at: now - 40, ended_at: now - 30.6 });
  s.tool(news, "search", { q: "chips" }, "11 stories");
  s.ai(news, "Eleven stories; the two that matter are the Dresden fab and the export rules.");
  const prices = s.box(["prices_agent:2"], { status: "failed", started_at: now - 29, ended_at: now - 8 });
  s.ai(prices, "I'll fetch closing prices for six tickers.");
  s.tool(
    prices,
    "resolve_tickers",
    { names: ["ASML", "Infineon", "STMicroelectronics", "NXP", "Soitec", "Aixtron", "BESI"] },
    "6 tickers",
    0.6,
  );
  s.tool(prices, "fetch_prices", { days: 5, venue: "XETRA" }, "", 10, { status: "failed", attempt: 2 });
  const frames = Array.from(
    { length: 12 },
    (_, i) => `  File "langgraph/pregel.py", line ${100 + i}, in run_${i}\n    self.step(${i})`,
  ).join("\n");
  s.add("error", prices, {
    error_type: "TimeoutError",
    message: "no answer from the price service after 10 s",
    content: "TimeoutError: no answer from the price service after 10 s",
    traceback: `Traceback (most recent call last):\n${frames}\n  File "quotes.py", line 88, in fetch_prices\n    r = client.get(url, timeout=10)\nTimeoutError: no answer from the price service after 10 s\n`,
  });
  const writer = s.box(["writer_agent:3"], { status: "cancelled", started_at: now - 9.1, ended_at: now - 8 });
  s.ai(writer, "Writ", { status: "aborted" });
  return { snapshot: s.snapshot("failed", { ended_at: now - 11 }) };
}

function interrupt() {
  const s = new Script("support_desk", "ticket-1042");
  s.add("user", [], {
    content: "Refund order A-1042 please. The mug arrived broken; photo attached.",
    speaker: "You",
  });
  s.ai([], "Sorry about the mug. I'll look the order up and hand it to the refunds agent.", {
    speaker: "supervisor",
    usage: { total_tokens: 2190 },
  });
  const orders = s.box(["orders_agent:1"], {
    status: "completed",
    started_at: now - 30,
    ended_at: now - 26.8,
  });
  s.ai(orders, "A-1042: one stoneware mug, 24.90 €, delivered three days ago.");
  const refunds = s.box(["refunds_agent:2"], {
    status: "interrupted",
    started_at: now - 26,
    ended_at: now - 17,
  });
  s.tool(
    refunds,
    "check_policy",
    { order_id: "A-1042", claim: "damaged" },
    "eligible · within 30 days · photo required: yes",
    0.3,
  );
  s.ai(
    refunds,
    "The claim is inside the 30-day window and the photo shows the damage. I'd like to refund it.",
  );
  const args = {
    order_id: "A-1042",
    amount: 24.9,
    currency: "EUR",
    reason: "damaged on arrival",
    notify: true,
  };
  s.tool(refunds, "issue_refund", args, "", 1, { status: "interrupted", ended_at: undefined });
  s.add("interrupt", refunds, {
    status: "pending",
    value: {},
    actions: [{ name: "issue_refund", args, allowed: ["approve", "edit", "reject"] }],
  });
  return { snapshot: s.snapshot("interrupted", { ended_at: now - 24 }) };
}

function idle() {
  const s = new Script("research_team", undefined);
  return { snapshot: s.snapshot("idle", { started_at: undefined, turn: 0 }) };
}

function parallel() {
  const s = new Script("team", undefined);
  s.add("user", [], { content: "Four at once.", speaker: "You" });
  for (let i = 1; i <= 4; i++) {
    const call = s.tool([], `worker`, { topic: `part ${i}` }, "", 3, {
      id: `call_${i}`,
      status: "executing",
    });
    const box = s.box([`tools:${i}`], {
      label: i > 1 ? `worker ${i}` : "worker",
      spawned_by: call.id,
      started_at: now - 5,
      usage: { total_tokens: 120 * i },
    });
    for (let k = 0; k < 6; k++)
      s.tool(box, "look_up", { key: `${i}.${k}` }, "found", 0.4, { artifacts: ["x"] });
    s.ai(box, `Part ${i} is nearly`, { status: "streaming" });
  }
  return { snapshot: s.snapshot("running") };
}

export const SCENES = { live, finished, failed, interrupt, idle, parallel };
