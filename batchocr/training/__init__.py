"""How models are made: data, drawn sheets, systems, training, measuring. Not needed to read scans."""
