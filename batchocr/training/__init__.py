"""Making models: crops, synthetic pages, systems, trainings. Not needed to read scans."""
