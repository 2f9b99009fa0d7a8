"""Looking after a store: what is wrong in it, mending it, tidying it, tables of it as files."""
