"""Stand-in for NVIDIA's package of this name; see twin_standin."""
from twin_standin import app, install_all

app.needs_an_application("carb")
install_all("carb")
