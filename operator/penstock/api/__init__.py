"""The types of the four resources; from them come the CRDs, their validation and their documentation."""
