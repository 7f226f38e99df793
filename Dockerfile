# azgen with a C compiler, as an ordinary user:
#   docker build -t azgen . && docker run --rm -v "$PWD:/work" azgen evolve linear
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN pip install --no-cache-dir '/src[all]' && rm -rf /src
RUN useradd --create-home azgen
USER azgen
WORKDIR /work
ENTRYPOINT ["azgen"]
