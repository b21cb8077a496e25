package main

import "slices"

// scenes lists every scene.
func scenes() []scene {
	return slices.Concat(toolScenes(), questionScenes(), turnScenes(), boxScenes(), formScenes(), screenScenes(), lifeScenes())
}
