"""One agent that hands work to two others: the graph of the quick start."""

from __future__ import annotations

from typing import Any

from IPython.display import Markdown
from langchain.agents import create_agent

from nestling.demo import market
from nestling.demo.charts import cluster_plot, scatter_plot
from nestling.demo.chat_model import Reply, ScriptedChatModel, call
from nestling.demo.parts import Graph, agent_tool, slow_tool


def research_team(delay: float = 0.035) -> Graph:
    """A team that analyses sixty prices and draws them.

    Ask it anything, say "Analyze this data and create visualizations". Its main agent calls
    `analysis_agent` and `visualization_agent`, each an agent with a tool of its own; the
    numbers and figures are computed when they are asked for.

    Args:
        delay: Seconds between two tokens; the whole run takes some 180 of them.
    """
    model = ScriptedChatModel(
        script=[
            Reply(
                "I'll coordinate the analysis and visualization for you...",
                [call("analysis_agent", request="Find the key trends")],
                reasoning="The user wants numbers first, then pictures. I ask one agent for each.",
            ),
            Reply(
                "Excellent! Now creating visualizations...",
                [call("visualization_agent", request="Chart the correlation and the clusters")],
            ),
            _report(),
        ],
        delay=delay,
    )
    analysis = agent_tool(
        _analysis_agent(delay),
        "Finds trends in the data.",
        lambda text: {
            "title": "Analysis Report",
            "data": Markdown(text),  # type: ignore[no-untyped-call]
        },
    )
    visualization = agent_tool(_visualization_agent(delay), "Draws charts of the data.")
    return create_agent(model, [analysis, visualization], name="research_team")


def _analysis_agent(delay: float) -> Graph:
    def data_processor(columns: list[str]) -> str:
        """Looks for trends in some columns of the data."""
        return f"Found {len(market.trends())} key trends"

    findings = "\n".join(f"- {trend}" for trend in market.trends())
    model = ScriptedChatModel(
        script=[
            Reply(
                "Processing your data thoroughly.",
                [call("data_processor", columns=["price", "demand"])],
            ),
            f"Analysis complete! Key findings:\n\n{findings}",
        ],
        delay=delay,
    )
    return create_agent(model, [slow_tool(data_processor, 20 * delay)], name="analysis_agent")


def _visualization_agent(delay: float) -> Graph:
    def chart_generator(charts: list[str]) -> tuple[str, dict[str, Any]]:
        """Draws charts: "correlation scatter plot", "cluster analysis"."""
        draw = {
            "correlation scatter plot": scatter_plot,
            "cluster analysis": cluster_plot,
        }
        figures = [draw[chart]() for chart in charts]
        return f"Generated {len(figures)} charts: {', '.join(charts)}", {
            "title": "Visualization Suite",
            "data": figures,
        }

    model = ScriptedChatModel(
        script=[
            Reply(
                "Creating comprehensive charts",
                [call("chart_generator", charts=["correlation scatter plot", "cluster analysis"])],
            ),
            "All visualizations complete!",
        ],
        delay=delay,
    )
    tool = slow_tool(chart_generator, 20 * delay, "content_and_artifact")
    return create_agent(model, [tool], name="visualization_agent")


def _report() -> str:
    """What the main agent closes with."""
    rows = "\n".join(
        f"| {number} | {len(group)} | {sum(p for p, _ in group) / len(group):.1f} EUR "
        f"| {sum(d for _, d in group) / len(group):.1f} |"
        for number, group in enumerate(market.clusters(), start=1)
    )
    return (
        "Here is the complete analysis.\n\n"
        f"Price and demand rise together (**r = {market.coefficient():.2f}**), and the products "
        f"fall into **{len(market.clusters())} clusters**:\n\n"
        "| cluster | products | mean price | mean demand |\n"
        "| --- | --- | --- | --- |\n"
        f"{rows}\n\n"
        "The report and both charts are attached."
    )
