# The front page of the factory. Nothing here installs or changes anything on the system, or needs root.
#
#   make debian-13 ARCH=aarch64 SITE=lab FLAGS='--force --on-error keep'

IMAGES := $(sort $(basename $(notdir $(wildcard catalog/images/*.yaml))))
BUILD := ./ingot build $(if $(ARCH),--arch $(ARCH)) $(if $(SITE),--site $(SITE)) $(FLAGS)

.PHONY: list help deps test $(IMAGES) $(IMAGES:%=deps-%)

list:
	@echo 'Images of the catalogue:'
	@for image in $(IMAGES); do \
	  printf '  %-20s %s\n' "$$image" "$$(sed -n 's/^description: *//p' "catalog/images/$$image.yaml")"; \
	done
	@echo
	@echo 'Build one:       make IMAGE        (or ./ingot build IMAGE)'
	@echo 'What it needs:   make deps-IMAGE'
	@echo 'More:            make help'

help:
	@echo 'make             the images, the same as make list'
	@echo 'make IMAGE       build an image and prove that it boots; ARCH=, SITE= and FLAGS= are handed on'
	@echo 'make deps        every tool Ingot uses: is it here, which version, what for'
	@echo 'make deps-IMAGE  the same for one image; fails when something it needs is missing'
	@echo 'make test        the tests (they need ./setup --dev)'
	@echo
	@echo './setup installs what is missing; make never does.'

$(IMAGES):
	@$(BUILD) $@

# Before ./setup there is no Node to ask.
deps:
	@if [ -x node_modules/.bin/node ]; then ./ingot doctor; else ./setup --dry-run; fi

$(IMAGES:%=deps-%): deps-%:
	@./ingot doctor $*

test:
	@npm test
