"""The only room that knows LangGraph: its events go in, edits of the conversation come out."""
