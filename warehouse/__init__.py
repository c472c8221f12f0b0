"""The common language: vocabulary, tables, storage and queries."""
