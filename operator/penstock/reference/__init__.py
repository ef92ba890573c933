"""The Reference in `docs/`, made of the types: no page of it is edited by hand."""
