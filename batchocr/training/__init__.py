"""How models are made: data, made-up pages, systems, training, measuring. Not needed to read scans."""
